"""The applications of one district, one package each. They share `lianfang`, never each other."""
