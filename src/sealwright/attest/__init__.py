"""Facts to statements and documents; knows no network, no subprocess, no environment and no clock."""
