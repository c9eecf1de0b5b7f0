# What a reader of a header must be told. A paragraph is a run of lines without a blank one.
#  - each paragraph that declares functions (but _free) has a comment, above or beside a line
#  - a parameter that is a pointer to a pointer says OWNED or BORROWED
#  - a function that can fault (bool, struct err *e last) is MUST_CHECK
function finish() {
	if (declares && !told && FILENAME_BEFORE != "")
		print FILENAME_BEFORE ":" declares ": a prototype without a sentence about it"
	declares = told = depth = 0
	inner = statement = ""
}
function judge(s) {
	sub(/^[ \t]+/, "", s)
	if (s !~ /\(.*\)[^{}]*;$/ || s ~ /^(typedef|#|return|static_assert|AUTO_DEFINE)/ || s ~ /^static inline/)
		return
	if (!declares && s !~ /^void [a-z0-9_]+_free\(/) declares = first
	if (s ~ /^bool / && s ~ /struct err \*e\)/ && s !~ /MUST_CHECK|PRINTF/)
		print FILENAME ":" first ": a function that can fault is not MUST_CHECK"
	copy = s
	gsub(/(OWNED|BORROWED)[^,]*\*\*/, "", copy)
	gsub(/char \*(const )?\*(argv|envp)/, "", copy)
	if (copy ~ /\*\*/)
		print FILENAME ":" first ": an out pointer says neither OWNED nor BORROWED"
}
FNR == 1 { finish(); comment = braces = 0 }
{ FILENAME_BEFORE = FILENAME }
/^[ \t]*$/ && !comment { finish(); next }
{
	line = $0
	if (!comment && line ~ /\/\*/) told = 1
	while (comment || line ~ /\/\*/) {
		if (comment) {
			if (!match(line, /\*\//)) { line = ""; break }
			line = substr(line, RSTART + 2)
			comment = 0
		} else {
			match(line, /\/\*.*/)
			tail = substr(line, RSTART + 2)
			line = substr(line, 1, RSTART - 1)
			if (match(tail, /\*\//)) line = line substr(tail, RSTART + 2)
			else comment = 1
		}
	}
	if (line ~ /^#/ || continued) { continued = line ~ /\\$/; next }
	opens = gsub(/\{/, "{", line)
	closes = gsub(/\}/, "}", line)
	if (braces > 0 || opens > 0) { braces += opens - closes; statement = ""; next }
	if (line !~ /[^ \t]/) next
	if (statement == "") first = FNR
	statement = statement " " line
	if (line ~ /;[ \t]*$/) { judge(statement); statement = "" }
}
END { finish() }
