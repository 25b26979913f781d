"""What is special about the cron jobs: their time limit, what they mail, and the monitor they report to."""
