"""`python -m streams.prepare` makes the bucket, tries what the store can do, and waits for the topics.

A cluster runs it once with each installation: what is wrong with the store is said then, not with the first images.
"""

import sys
from contextlib import suppress

from observability.logs import configure, log
from storage.objects import StoreError
from storage.s3 import S3Store
from streams.kafka import wait_for_topics
from streams.settings import Settings


def main() -> None:
    """Prepare, or say what keeps it from being ready."""
    configure("prepare")
    settings = Settings()
    store = S3Store(**settings.store)
    with suppress(StoreError):  # whoever may use a bucket may not always make one; the probe says what is wrong
        store.create_bucket()
    try:
        able = store.probe()
    except StoreError as why:
        sys.exit(str(why))
    log().info("store_ready", bucket=settings.bucket, able=able)
    wait_for_topics(settings.kafka)
    log().info("topics_ready")


if __name__ == "__main__":
    main()
