"""Take the page's steps on the testbed, as its operators and people do."""
