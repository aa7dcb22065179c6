"""The course's own package: one room for each subject, and two that serve them all."""
