"""Many runs, each in a process of its own: sweeps over fields of an experiment, and every experiment there is."""
