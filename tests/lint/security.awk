# docs/security.md against the tables it describes, both ways: every permission, verdict and route has
# its row there and every row there has its source; and each row of "Which test proves what" names
# files below tests/ that are there and name the requirement. Arguments: the tables, then the document.

function wanted(section, row) { want[section SUBSEP row] = FILENAME ":" FNR }
function trim(s) { sub(/^[ \t]+/, "", s); sub(/[ \t]+$/, "", s); return s }
function say(line, what) { print document ":" line ": " what }

# The nth argument of a table's row, which ends at a comma outside brackets and quotes.
function argument(row, n,   i, c, depth, quoted, out) {
	row = substr(row, index(row, "(") + 1)
	for (i = 1; i <= length(row); i++) {
		c = substr(row, i, 1)
		if (c == "\"") quoted = !quoted
		else if (!quoted && c == "(") depth++
		else if (!quoted && c == ")" && depth-- == 0) break
		if (c == "," && !quoted && depth == 0) {
			if (--n == 0) break
			out = ""
		} else if (c != "\"") out = out c
	}
	return trim(out)
}

# The whole text of a file below tests/, or nothing; each is read once.
function text_of(file,   line) {
	if (!(file in text)) {
		text[file] = ""
		while ((getline line < ("tests/" file)) > 0) text[file] = text[file] "\n" line
		close("tests/" file)
	}
	return text[file]
}

# Does text name the requirement, in any case, and not merely a longer one?
function names(text, id) {
	gsub(/-/, "[-]", id)
	return toupper(text) ~ ("(^|[^A-Z0-9])" id "([^0-9]|$)")
}

function check_tests(cells,   files, n, i, file) {
	n = split(cells[4], files, "`")
	for (i = 2; i <= n; i += 2) {
		file = files[i]
		if (text_of(file) == "") say(FNR, "tests/" file " is not there")
		else if (!names(text_of(file), trim(cells[2])))
			say(FNR, "tests/" file " does not name " trim(cells[2]))
	}
	if (n < 2) say(FNR, "no test proves " trim(cells[2]))
}

FILENAME ~ /permission\.def$/ && /^PERMISSION\(/ {
	spelled[argument($0, 1) "_" argument($0, 2)] = argument($0, 3)
	wanted("## Permissions", "`" argument($0, 3) "`")
}
FILENAME ~ /verdict\.def$/ && /^VERDICT\(/ {
	wanted("## Verdicts", "`" argument($0, 4) "` " argument($0, 2) " `" argument($0, 3) "`")
}
# A row without an access is reported by lint.sh.
FILENAME ~ /routes\.def$/ && /^ROUTE\(/ && argument($0, 3) ~ /^(OPEN|SIGNED_IN|NEEDS|INTERNAL)/ {
	access = argument($0, 3)
	if (access ~ /^NEEDS/) {
		sub(/^NEEDS\(/, "", access)
		sub(/, */, "_", access)
		sub(/\)$/, "", access)
		access = "NEEDS `" spelled[access] "`"
	}
	wanted(FILENAME ~ /worker/ ? "### Worker" : "### Orchestration",
		argument($0, 1) " `" argument($0, 2) "` " access)
}

FILENAME ~ /\.md$/ { document = FILENAME }
FILENAME ~ /\.md$/ && /^#/ { section = $0 }
FILENAME ~ /\.md$/ && /^\|/ && !/^\|[-|]*\|$/ && !headed[section]++ { next }
FILENAME ~ /\.md$/ && /^\|/ && !/^\|[-|]*\|$/ {
	split($0, cell, "|")
	row = ""
	if (section == "## Permissions") row = trim(cell[2])
	if (section == "## Verdicts") row = trim(cell[2]) " " trim(cell[3]) " " trim(cell[4])
	if (section ~ /^### (Orchestration|Worker)$/) {
		access = trim(cell[4])
		sub(/;.*/, "", access)
		row = trim(cell[2]) " " trim(cell[3]) " " access
	}
	if (section == "## Which test proves what") check_tests(cell)
	else if (row != "" && !((section SUBSEP row) in want)) say(FNR, "no table says: " row)
	delete want[section SUBSEP row]
}

END {
	for (w in want) {
		split(w, part, SUBSEP)
		print want[w] ": docs/security.md does not say, below " part[1] ": " part[2]
	}
}
