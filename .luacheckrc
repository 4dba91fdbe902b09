-- Scripts that Redis runs: ngx_ws_mgr/*/*.lua.  "make embed" gives a constant of
-- a header its value.

std = "lua51"
max_line_length = 80
read_globals = { "ARGV", "KEYS", "cjson", "redis" }
ignore = { "113/NGX_WS_MGR_.*" }
