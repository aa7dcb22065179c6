"""What somebody else has left behind in the account, for a lesson's learner to find and mend."""
