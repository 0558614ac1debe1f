"""What other tools say of everyday faults, beside the doctor."""
