"""The embedded case-dispatch endpoint: receives signed events and keeps one case per problem."""
