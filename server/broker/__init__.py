"""`broker`: a real Apache Kafka for one machine."""
