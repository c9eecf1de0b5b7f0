# C sources as FILE:LINE:CODE, without comments and with emptied strings, so that a rule about code
# does not stumble over what prose says. #include lines keep their names.
FNR == 1 { inside = 0 }
{
	code = ""
	rest = $0
	if (!inside && rest ~ /^#[ \t]*include/) { print FILENAME ":" FNR ":" rest; next }
	while (rest != "") {
		if (inside) {
			end = index(rest, "*/")
			if (end == 0) break
			rest = substr(rest, end + 2)
			inside = 0
		} else if (match(rest, /^"([^"\\]|\\.)*"/)) {
			code = code "\"\""
			rest = substr(rest, RLENGTH + 1)
		} else if (match(rest, /^'([^'\\]|\\.)*'/)) {
			code = code "0"
			rest = substr(rest, RLENGTH + 1)
		} else if (substr(rest, 1, 2) == "/*") {
			inside = 1
			rest = substr(rest, 3)
		} else if (substr(rest, 1, 2) == "//") {
			break
		} else {
			code = code substr(rest, 1, 1)
			rest = substr(rest, 2)
		}
	}
	if (code ~ /[^ \t]/) print FILENAME ":" FNR ":" code
}
