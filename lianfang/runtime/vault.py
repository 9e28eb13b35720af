"""The encrypted home of personal data: MongoDB's client-side encryption, explicit mode.

Values are sealed with a data key of the district (kept in its key vault, itself wrapped by a local
master key). Equality look-up goes by a keyed hash only, one key for the whole city, so that two
districts mean the same person.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path
from typing import Any

from bson.binary import Binary
from bson.codec_options import CodecOptions
from pymongo import MongoClient
from pymongo.encryption import Algorithm, ClientEncryption
from pymongo.errors import DuplicateKeyError, EncryptionError

from lianfang.errors import Misconfigured
from lianfang.runtime.logs import log
from lianfang.settings import Settings

_MASTER_BYTES = 96
_HASH_BYTES = 32
_KEY_NAME = "personal"
KEY_FILE = "personal-data.key"


class PersonalVault:
    """Seals documents so that only this district reads them, and fingerprints identifiers."""

    def __init__(
        self, encryption: ClientEncryption[Any], data_key: Binary, hash_key: bytes
    ) -> None:
        self._encryption, self._data_key, self._hash_key = encryption, data_key, hash_key

    def seal(self, document: dict[str, Any]) -> bytes:
        """The document encrypted; the same document never gives the same bytes twice."""
        return bytes(
            self._encryption.encrypt(
                document,
                Algorithm.AEAD_AES_256_CBC_HMAC_SHA_512_Random,
                key_id=self._data_key,
            )
        )

    def open(self, sealed: bytes) -> dict[str, Any]:
        """The document that was sealed."""
        return dict(self._encryption.decrypt(Binary(sealed, 6)))

    def fingerprint(self, text: str) -> str:
        """A keyed hash for equality look-up; without the key it cannot be guessed back."""
        return hmac.new(self._hash_key, text.encode(), hashlib.sha256).hexdigest()


def make_key_file(secrets_dir: Path) -> Path:
    """Create the district's key file once; an existing one is never touched."""
    path = secrets_dir / KEY_FILE
    write_once(path, secrets.token_bytes(_MASTER_BYTES + _HASH_BYTES))
    return path


def write_once(path: Path, secret: bytes) -> None:
    """Give a file that is not there yet its content, readable by its owner only.

    Whole or not at all: of two processes that start together one writes, and a crash leaves no file
    that is empty for ever.
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    draft.touch(mode=0o600)
    draft.write_bytes(secret)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        log.info("secret_made_elsewhere", file=path.name)
    finally:
        draft.unlink()


def open_vault(client: MongoClient[Any], settings: Settings) -> PersonalVault:
    """The vault of this district; makes its data key at the first use.

    Raises:
        Misconfigured: the key file is missing or has the wrong length.
    """
    path = settings.secrets_dir / KEY_FILE
    try:
        keys = path.read_bytes()
    except OSError as error:
        raise Misconfigured(f"key file {path.name}: {error.strerror}") from error
    if len(keys) != _MASTER_BYTES + _HASH_BYTES:
        raise Misconfigured(f"key file {path.name} has {len(keys)} bytes")
    namespace = f"{settings.database_prefix}_keys.vault"
    encryption: ClientEncryption[Any] = ClientEncryption(
        {"local": {"key": keys[:_MASTER_BYTES]}}, namespace, client, CodecOptions(tz_aware=True)
    )
    return PersonalVault(encryption, _data_key(client, encryption, namespace), keys[_MASTER_BYTES:])


def _data_key(
    client: MongoClient[Any], encryption: ClientEncryption[Any], namespace: str
) -> Binary:
    """The district's one data key; two processes that start together end with the same."""
    database, _, collection = namespace.partition(".")
    rows = client[database][collection]
    rows.create_index(
        "keyAltNames", unique=True, partialFilterExpression={"keyAltNames": {"$exists": True}}
    )
    found = encryption.get_key_by_alt_name(_KEY_NAME)
    if found is None:
        try:
            encryption.create_data_key("local", key_alt_names=[_KEY_NAME])
        except (DuplicateKeyError, EncryptionError) as error:
            log.info("data_key_made_elsewhere", error=type(error).__name__)
        found = encryption.get_key_by_alt_name(_KEY_NAME)
    if found is None:
        raise Misconfigured("the key vault has no data key")
    key: Binary = found["_id"]
    return key
