"""What is known of jobs: their records in the bucket, the tally, and the marks that hold, cancel or end them."""
