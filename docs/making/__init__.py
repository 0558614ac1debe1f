"""What the documentation is made with: links that are checked, pages, figures, screenshots. `make docs` builds it."""
