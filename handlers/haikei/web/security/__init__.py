"""What stands before every page: who comes, how often, whether a form is our own."""
