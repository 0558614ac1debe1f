"""How good is the doctor? `python -m doctor_score` measures what it names, what it claims wrongly, and its cost."""
