"""Many pictures: where they lie, processes that read them, answers as files, on one machine or a cluster."""
