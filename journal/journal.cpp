#include "journal/journal.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/limits/effects.hpp"

namespace penumbra::journal {

namespace {
constexpr std::string_view kEntrySuffix = ".effect";
constexpr std::string_view kDamagedSuffix = ".damaged";

std::string file_of(const EffectId& id) {
    return id.text() + std::string(kEntrySuffix);
}

Result<Entry> read_entry(const Directory& directory, const std::string& name) {
    const std::string text = TRY(directory.read(name, limits::kJournalEntryBytesMax));
    Result<Entry> entry = decode(text);
    if (!entry.has_value()) return fail_in(fmt::format("journal entry {} is damaged", name), std::move(entry).error());
    if (file_of(entry->spec.id) != name) {
        return fail(ErrorCode::kDataLoss,
                    fmt::format("journal entry {} is damaged: it says it is effect {}", name, entry->spec.id.text()));
    }
    return entry;
}
}  // namespace

Result<void> Journal::put(const Entry& entry) {
    const EffectId id = TRY(EffectId::parse(entry.spec.id.text()));
    const std::string text = encode(entry);
    if (text.size() > limits::kJournalEntryBytesMax) {
        return fail(ErrorCode::kResourceExhausted, fmt::format("effect {} is {} bytes long; a journal entry holds {}",
                                                               id.text(), text.size(), limits::kJournalEntryBytesMax));
    }
    return replace_file(directory_, file_of(id), text);
}

Result<Entry> Journal::get(const EffectId& id) const {
    return read_entry(directory_, file_of(TRY(EffectId::parse(id.text()))));
}

Result<std::vector<EffectId>> Journal::effects() const {
    std::vector<EffectId> effects;
    for (const std::string& name : TRY(directory_.list()))
        if (name.ends_with(kEntrySuffix)) effects.emplace_back(name.substr(0, name.size() - kEntrySuffix.size()));
    return effects;
}

Result<void> Journal::read_into(Contents& contents, const std::string& name) {
    Result<Entry> entry = read_entry(directory_, name);
    if (entry.has_value()) {
        contents.entries.push_back(std::move(*entry));
        return {};
    }
    if (entry.error().code == ErrorCode::kUnsupported) {
        // A later version wrote it and will read it again: it keeps its name.
        contents.damaged.push_back({.name = name, .reason = entry.error().message});
        return {};
    }
    if (entry.error().code != ErrorCode::kDataLoss && entry.error().code != ErrorCode::kResourceExhausted) {
        return fail_in("reading the journal", std::move(entry).error());
    }
    const std::string aside = name.substr(0, name.size() - kEntrySuffix.size()) + std::string(kDamagedSuffix);
    contents.damaged.push_back({.name = aside, .reason = entry.error().message});
    TRY(directory_.rename(name, aside));
    return directory_.sync_names();
}

Result<Contents> Journal::read_all() {
    Contents contents;
    for (const std::string& name : TRY(directory_.list())) {
        if (name.ends_with(kEntrySuffix)) {
            TRY(read_into(contents, name));
        } else if (name.ends_with(kDamagedSuffix)) {
            contents.damaged.push_back({.name = name, .reason = "it was set aside as damaged before"});
        } else if (name.ends_with(kNewSuffix)) {
            // Never renamed, so never acted upon: whoever wrote it died before its intent counted.
            TRY(directory_.remove(name));
        }
    }
    return contents;
}

Result<void> Journal::forget(const EffectId& id) {
    TRY(directory_.remove(file_of(TRY(EffectId::parse(id.text())))));
    return directory_.sync_names();
}

}  // namespace penumbra::journal
