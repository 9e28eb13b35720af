"""The applications of one district, one package per service. They share `lianfang`, never each other."""
