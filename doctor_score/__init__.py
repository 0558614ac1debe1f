"""How good is the doctor? `python -m doctor_score` measures it: what it names, what it claims wrongly, what it costs."""
