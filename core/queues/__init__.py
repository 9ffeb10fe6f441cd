"""An administrator's look at the queues and the workers.  No feature of the product: it holds no rows of its own."""
