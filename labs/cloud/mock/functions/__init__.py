"""The mock's Lambda motor: uploaded zips really run, in sandbox processes, under their role."""
