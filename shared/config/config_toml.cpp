extern "C" {
#include "shared/config/config_toml.h"
}

/* Debian's libtomlplusplus is compiled with exceptions and without assertions: header-only, the
 * five input bytes of a lone table header would end the process. */
#define TOML_HEADER_ONLY 0
#include <toml++/toml.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace
{

/* One thing still to be reported. END carries no node. */
struct step {
	toml_kind kind;
	toml::node *node;
	int line;
	std::string key;
};

struct walker {
	std::vector<step> todo;
	toml_event_fn fn;
	void *arg;
	err *e;
};

/*
 * Where brackets and dots stand outside strings and comments. toml++ builds, walks and frees
 * nested values by recursion, so a line of a hundred thousand dots would overflow its stack.
 * On text that is no TOML this may disagree with the parser, but only behind the point where the
 * parser stops.
 */
class nesting
{
	std::string_view text;
	size_t at = 0;
	int depth = 0, dots = 0, line = 1;

	bool
	starts(std::string_view with) const
	{
		return text.substr(at, with.size()) == with;
	}

	/* at is on the opening quote; afterwards on the last closing one, or at the line's end. */
	void
	skip_string()
	{
		const char quote = text[at];
		const std::string triple(3, quote);
		const bool long_form = starts(triple);

		for (at += long_form ? 3 : 1; at < text.size(); at++) {
			if (text[at] == '\n') {
				if (!long_form)
					return;
				line++;
			} else if (text[at] == '\\' && quote == '"') {
				at++;
				line += at < text.size() && text[at] == '\n';
			} else if (long_form ? starts(triple) : text[at] == quote) {
				break;
			}
		}
		/* A long string may end with up to two quotes of its own before the three. */
		for (int extra = 0; long_form && extra < 4 && at + 1 < text.size(); extra++)
			at += text[at + 1] == quote;
	}

	void
	skip_comment()
	{
		while (at + 1 < text.size() && text[at + 1] != '\n')
			at++;
	}

	void
	newline()
	{
		line++;
		dots = 0;
	}

      public:
	explicit nesting(std::string_view document) : text(document)
	{
	}

	/* 0, or the line on which a limit is passed. */
	int
	too_deep()
	{
		for (; at < text.size(); at++) {
			const char c = text[at];

			if (c == '"' || c == '\'')
				skip_string();
			else if (c == '#')
				skip_comment();
			else if (c == '.')
				dots++;
			else if (c == '[' || c == '{')
				depth++;
			else if ((c == ']' || c == '}') && depth > 0)
				depth--;
			if (at < text.size() && text[at] == '\n')
				newline();
			if (depth > TOML_NESTING_MAX || dots > TOML_DOTS_MAX)
				return line;
		}
		return 0;
	}
};

int
line_of(const toml::node &node)
{
	return static_cast<int>(node.source().begin.line);
}

bool
is_bare(std::string_view name)
{
	return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		       c == '_' || c == '-';
	});
}

toml_go
broken(const walker &w, int line, const char *why)
{
	const toml_event event{TOML_BROKEN, line, "", why, nullptr, 0};

	return w.fn(&event, w.arg, w.e);
}

/* The parser's words without the ones they all begin with. */
std::string
reason(std::string_view description)
{
	const std::string_view opening = "Error while parsing ";

	if (description.substr(0, opening.size()) == opening)
		description.remove_prefix(opening.size());
	return std::string(description);
}

/* Puts a table's members on the stack so that the first in the file comes off first. */
bool
push_members(walker &w, toml::table &table, const std::string &prefix, bool any_name)
{
	const size_t from = w.todo.size();

	for (auto &&[name, node] : table) {
		if (any_name ? name.str().find('\0') != std::string_view::npos
		             : !is_bare(name.str()))
			return false;
		w.todo.push_back(
		        {TOML_TABLE, &node, line_of(node), prefix + std::string(name.str())});
	}
	std::sort(w.todo.begin() + static_cast<std::ptrdiff_t>(from), w.todo.end(),
	        [](const step &a, const step &b) {
		        return b.node->source().begin < a.node->source().begin;
	        });
	return true;
}

toml_go
scalar(const walker &w, const step &s, toml_kind kind, const std::string &text)
{
	const toml_event event{kind, s.line, s.key.c_str(), text.c_str(), nullptr, 0};

	return w.fn(&event, w.arg, w.e);
}

/* A text, wiped once it has been handed on, since it may be a secret. */
toml_go
report_text(const walker &w, const step &s, std::string &text)
{
	toml_go go;

	if (text.find('\0') != std::string::npos)
		return broken(w, s.line, "a text may not hold U+0000");
	go = scalar(w, s, TOML_TEXT, text);
	std::fill(text.begin(), text.end(), '\0');
	return go;
}

toml_go
report_list(const walker &w, const step &s, toml::array &array)
{
	std::vector<const char *> items;
	toml_event event{TOML_LIST, s.line, s.key.c_str(), nullptr, nullptr, 0};

	for (auto &item : array) {
		const auto *text = item.as_string();

		if (text == nullptr) {
			event.kind = TOML_MIXED;
			return w.fn(&event, w.arg, w.e);
		}
		if (text->get().find('\0') != std::string::npos)
			return broken(w, s.line, "a text may not hold U+0000");
		items.push_back(text->get().c_str());
	}
	event.items = items.data();
	event.count = items.size();
	return w.fn(&event, w.arg, w.e);
}

toml_go
report_table(walker &w, const step &s, toml_kind kind)
{
	const toml_event event{kind, s.line, s.key.c_str(), nullptr, nullptr, 0};
	const toml_go go = w.fn(&event, w.arg, w.e);

	if (go != TOML_GO && go != TOML_ANY)
		return go;
	if (kind == TOML_ELEMENT)
		w.todo.push_back({TOML_ELEMENT_END, nullptr, s.line, s.key});
	if (push_members(w, *s.node->as_table(), s.key + ".", go == TOML_ANY))
		return TOML_GO;
	w.todo.clear();
	return broken(w, s.line, "a key here is not made of letters, digits, _ and -");
}

template <typename date>
toml_go
report_time(const walker &w, const step &s, const date &value)
{
	std::ostringstream text;

	text << value;
	return scalar(w, s, TOML_TIME, text.str());
}

toml_go
report_leaf(const walker &w, const step &s)
{
	toml::node &node = *s.node;

	if (auto *text = node.as_string())
		return report_text(w, s, text->get());
	if (const auto *number = node.as_integer())
		return scalar(w, s, TOML_INT, std::to_string(number->get()));
	if (const auto *flag = node.as_boolean())
		return scalar(w, s, TOML_BOOL, flag->get() ? "true" : "false");
	if (const auto *day = node.as_date())
		return report_time(w, s, day->get());
	if (const auto *hour = node.as_time())
		return report_time(w, s, hour->get());
	if (const auto *moment = node.as_date_time())
		return report_time(w, s, moment->get());
	return scalar(w, s, TOML_FLOAT, "");
}

toml_go
report(walker &w, const step &s)
{
	if (s.kind == TOML_ELEMENT_END) {
		const toml_event event{s.kind, s.line, s.key.c_str(), nullptr, nullptr, 0};

		return w.fn(&event, w.arg, w.e);
	}
	if (s.node->is_table())
		return report_table(w, s, s.kind);

	auto *array = s.node->as_array();

	if (array == nullptr)
		return report_leaf(w, s);
	if (array->empty() || !array->is_homogeneous<toml::table>())
		return report_list(w, s, *array);
	for (size_t i = array->size(); i-- > 0;)
		w.todo.push_back({TOML_ELEMENT, &(*array)[i], line_of((*array)[i]), s.key});
	return TOML_GO;
}

bool
walk(walker &w, toml::table &root)
{
	if (!push_members(w, root, "", false))
		return broken(w, 1, "a key at the top is not made of letters, digits, _ and -") !=
		       TOML_STOP;
	while (!w.todo.empty()) {
		const step next = std::move(w.todo.back());

		w.todo.pop_back();
		if (report(w, next) == TOML_STOP)
			return false;
	}
	return true;
}

} // namespace

bool
toml_walk(const char *text, size_t len, toml_event_fn fn, void *arg, struct err *e)
try {
	walker w{{}, fn, arg, e};

	if (const int line = nesting({text, len}).too_deep(); line > 0)
		return broken(w, line, "nested too deeply") != TOML_STOP;
	try {
		toml::table root = toml::parse(std::string_view(text, len));

		return walk(w, root);
	} catch (const toml::parse_error &problem) {
		const int line = static_cast<int>(problem.source().begin.line);

		return broken(w, line, reason(problem.description()).c_str()) != TOML_STOP;
	}
} catch (const std::exception &) {
	return err_set(e, ERR_NOMEM, "out of memory reading TOML");
}
