"""What training does to windows. The same functions run inside a tf.data graph and on arrays (`random.Draws`)."""
