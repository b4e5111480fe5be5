"""The status report: what the trackers say of a period, reduced to tables, as a page, as Markdown and as CSV. It asks
the trackers alone and knows nothing of links or of the state."""
