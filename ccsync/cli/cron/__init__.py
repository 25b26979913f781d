"""What is special about the jobs that cron runs: their time, their mail, and the monitor that hears of them."""
