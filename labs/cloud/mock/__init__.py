"""moto with the motors running: `python -m labs.cloud.mock --port 5000`."""
