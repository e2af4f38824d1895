"""Files are fetched and decoded in processes of their own, which a hostile one may take with it."""
