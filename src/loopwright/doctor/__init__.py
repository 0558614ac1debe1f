"""The doctor: watches training from outside, names the cause of what is wrong, and confirms it where it can."""
