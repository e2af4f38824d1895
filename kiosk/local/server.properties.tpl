# One node is broker and controller. Written anew at every start by kiosk/local/kafka.py.
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller_port}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:${port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=${data}

# Topics are made by streams.kafka, with their partitions and retention.
auto.create.topics.enable=false

# One broker: every internal topic has one replica, and few partitions to open at start.
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1

# A broker that was killed is kept out until its old session ends: 9 s unless told otherwise.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500

# A stage that starts or dies should not make the others wait.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=3000

# A laptop's share of threads, memory and disk.
num.network.threads=2
num.io.threads=2
background.threads=2
log.cleaner.threads=1
log.cleaner.dedupe.buffer.size=4194304
log.segment.bytes=67108864
log.index.size.max.bytes=1048576

# log.flush.* stays at Kafka's default, where the operating system decides when to write to the disk: a killed broker
# loses nothing, a power cut can lose the last seconds, because there is no second replica.
