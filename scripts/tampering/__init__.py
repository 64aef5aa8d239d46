"""The parts of scripts/audit.test: what is done to a run so that the audit must go red."""
