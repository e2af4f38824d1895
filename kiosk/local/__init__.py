"""Everything on one machine: the real servers, the stages and the API, started and kept running by `monolayer up`."""
