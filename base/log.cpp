#include "base/log.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "base/limits/base.hpp"

namespace penumbra::log {

namespace {
// systemd sets JOURNAL_STREAM for a service whose stderr is the journal (systemd.exec(5)); anywhere else a person
// reads.
bool journal_listens() {
    return std::getenv("JOURNAL_STREAM") != nullptr;
}

void send_to_journal(const std::vector<std::string>& lines) {
    std::vector<iovec> parts;
    parts.reserve(lines.size());
    for (const std::string& line : lines) {
        parts.push_back({.iov_base = const_cast<char*>(line.data()), .iov_len = line.size()});
    }
    // A log line that cannot be written has nowhere to be reported.
    static_cast<void>(sd_journal_sendv(parts.data(), static_cast<int>(parts.size())));
}

void send_to_stderr(Level level, std::string_view kind, std::string_view sentence,
                    std::initializer_list<Field> fields) {
    std::string text = fmt::format("<{}>{}: {}", static_cast<int>(level), kind, sentence);
    for (const Field& field : fields)
        text += fmt::format(" {}={}", field.name, field.value);
    text += '\n';
    static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr));
}
}  // namespace

void event(Level level, std::string_view kind, std::string_view sentence, std::initializer_list<Field> fields) {
    ASSERT(fields.size() <= limits::kLogFieldsMax);
    if (!journal_listens()) return send_to_stderr(level, kind, sentence, fields);
    std::vector<std::string> lines;
    lines.push_back(fmt::format("PRIORITY={}", static_cast<int>(level)));
    lines.push_back(fmt::format("MESSAGE={}", sentence));
    lines.push_back(fmt::format("PENUMBRA_EVENT={}", kind));
    for (const Field& field : fields)
        lines.push_back(fmt::format("PENUMBRA_{}={}", field.name, field.value));
    send_to_journal(lines);
}

void error(std::string_view kind, const Error& error, std::initializer_list<Field> fields) {
    const std::string place = fmt::format("{}:{}", error.where.file_name(), error.where.line());
    if (!journal_listens()) return send_to_stderr(Level::kError, kind, error.describe() + " (" + place + ")", fields);
    std::vector<std::string> lines;
    lines.push_back(fmt::format("PRIORITY={}", static_cast<int>(Level::kError)));
    lines.push_back(fmt::format("MESSAGE={}", error.describe()));
    lines.push_back(fmt::format("PENUMBRA_EVENT={}", kind));
    lines.push_back(fmt::format("PENUMBRA_CODE={}", to_string(error.code)));
    lines.push_back(fmt::format("PENUMBRA_WHERE={}", place));
    for (const Field& field : fields)
        lines.push_back(fmt::format("PENUMBRA_{}={}", field.name, field.value));
    send_to_journal(lines);
}

}  // namespace penumbra::log
