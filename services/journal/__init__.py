"""What happened, in which order and why; and what could not be handled, until somebody decides.

Owns: the event log, flow counts, parked messages.
Listens: everything (`#`) and the queue `parking`.
Publishes: message.replayed, message.discarded.
Answers: find_events, get_event, get_trace, get_chain, get_flow, find_parked, count_parked,
    get_parked, replay_parked, discard_parked.
"""
