complete --keep-order --exclusive --command oneup --arguments "(COMPLETE=fish oneup -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
