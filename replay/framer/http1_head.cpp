#include <algorithm>
#include <charconv>

#include "replay/framer/http1.hpp"

namespace penumbra::replay::framer {

namespace {
bool is_token_char(char c) {
    constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, is_token_char);
}

bool same_word(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
        text.remove_suffix(1);
    return text;
}

/// The part before `separator`; `text` keeps the part behind it.
std::string_view cut_front(std::string_view& text, std::string_view separator) {
    const std::size_t at = text.find(separator);
    const std::string_view front = text.substr(0, at);
    text = at == std::string_view::npos ? std::string_view{} : text.substr(at + separator.size());
    return front;
}

bool read_version(std::string_view text, Http1Head& into) {
    if (text != "HTTP/1.1" && text != "HTTP/1.0") return false;
    into.minor_version = static_cast<unsigned>(text.back() - '0');
    return true;
}

bool read_length(std::string_view value, Http1Head& into) {
    std::uint64_t length = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
    if (value.empty() || error != std::errc() || end != value.data() + value.size()) return false;
    if (into.has_length && into.length != length) return false;
    into.has_length = true;
    into.length = length;
    return true;
}

void read_connection(std::string_view value, Http1Head& into) {
    while (!value.empty()) {
        if (same_word(trimmed(cut_front(value, ",")), "close")) into.close = true;
    }
}

bool read_field(std::string_view line, Http1Head& into) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return false;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trimmed(line.substr(colon + 1));
    const auto is_control = [](char c) { return (c >= 0 && c < 0x20 && c != '\t') || c == 0x7f; };
    if (std::ranges::any_of(value, is_control)) return false;
    if (same_word(name, "content-length")) return read_length(value, into);
    if (same_word(name, "transfer-encoding")) {
        // Other codings, lists and a second field exist in no traffic we can replay without guessing.
        if (into.chunked || !same_word(value, "chunked")) return false;
        into.chunked = true;
    }
    if (same_word(name, "connection")) read_connection(value, into);
    if (same_word(name, "upgrade")) into.upgrade = true;
    return true;
}

HeadVerdict read_fields(std::string_view lines, Http1Head& into) {
    while (!lines.empty()) {
        if (!read_field(cut_front(lines, "\r\n"), into)) return HeadVerdict::kMalformed;
    }
    if (into.chunked && (into.has_length || into.minor_version == 0)) return HeadVerdict::kMalformed;
    return HeadVerdict::kGood;
}
}  // namespace

HeadVerdict read_request_head(std::string_view head, Http1Head& into) {
    into = {};
    std::string_view line = cut_front(head, "\r\n");
    const std::string_view method = cut_front(line, " ");
    const std::string_view target = cut_front(line, " ");
    const auto is_visible = [](char c) { return c < 0 || (c > 0x20 && c != 0x7f); };
    if (!is_token(method) || target.empty() || !std::ranges::all_of(target, is_visible)) return HeadVerdict::kMalformed;
    if (!read_version(line, into)) return HeadVerdict::kMalformed;
    into.method = method;
    if (method == "CONNECT") into.upgrade = true;
    return read_fields(head, into);
}

HeadVerdict read_response_head(std::string_view head, Http1Head& into) {
    into = {};
    std::string_view line = cut_front(head, "\r\n");
    if (!read_version(cut_front(line, " "), into)) return HeadVerdict::kMalformed;
    const std::string_view status = cut_front(line, " ");
    const auto [end, error] = std::from_chars(status.data(), status.data() + status.size(), into.status);
    if (status.size() != 3 || error != std::errc() || end != status.data() + 3) return HeadVerdict::kMalformed;
    if (into.status < 100 || into.status > 599) return HeadVerdict::kMalformed;
    return read_fields(head, into);
}

}  // namespace penumbra::replay::framer
