#include "agent/store/command_store.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agent/store/sealed_record.hpp"
#include "base/limits/flows.hpp"
#include "journal/line_record.hpp"
#include "proto/codec/codec.hpp"

namespace penumbra::agent {

namespace {

using journal::LineRecord;
using journal::parse_number;

constexpr std::string_view kFences = "fences";
constexpr std::string_view kFenceTitle = "penumbra-fences";
constexpr std::string_view kCommandTitle = "penumbra-command";
constexpr std::string_view kCommandSuffix = ".command";

std::string file_of(const CommandId& id) {
    return id.text() + std::string(kCommandSuffix);
}

Result<JournalImage::Entry> read_command(std::string_view text) {
    LineRecord record = TRY(unsealed(text, kCommandTitle));
    JournalImage::Entry entry{.command = TRY(codec::unpack<model::Command>(TRY(record.take("command"))))};
    for (const std::string& report : record.take_repeated("report"))
        entry.report = TRY(codec::unpack<model::CommandReport>(report));
    return entry;
}

}  // namespace

Result<void> CommandStore::load_fences(const std::string& name) {
    LineRecord record = TRY(unsealed(TRY(directory_.read(name, limits::kFenceFileBytesMax)), kFenceTitle));
    image_.epoch = Epoch(TRY(parse_number<std::uint64_t>(TRY(record.take("epoch")))));
    image_.fence_floor = Fence(TRY(parse_number<std::uint64_t>(TRY(record.take("floor")))));
    for (const auto& [resource, fence] : record.take_all("fence."))
        image_.fences[ResourceId(resource)] = Fence(TRY(parse_number<std::uint64_t>(fence)));
    return {};
}

Result<void> CommandStore::load_command(const std::string& name) {
    JournalImage::Entry entry = TRY(read_command(TRY(directory_.read(name, limits::kCommandFileBytesMax))));
    if (file_of(entry.command.id) != name)
        return fail(ErrorCode::kDataLoss, fmt::format("it says it is command {}", entry.command.id.text()));
    image_.commands.push_back(std::move(entry));
    return {};
}

Result<JournalImage> CommandStore::load() {
    image_ = {};
    bool any = false;
    bool fences = false;
    for (const std::string& name : TRY(directory_.list())) {
        Result<void> read;
        if (name == kFences) {
            read = load_fences(name);
            fences = true;
        } else if (name.ends_with(kCommandSuffix)) {
            read = load_command(name);
            any = true;
        } else if (name.ends_with(journal::kNewSuffix)) {
            read = directory_.remove(name);  // never renamed, so nobody was told of it
        }
        if (!read.has_value()) {
            return fail_in(fmt::format("the agent's record {} cannot be read, so it is not known what this host did; "
                                       "look at the host, then remove the file",
                                       name),
                           std::move(read).error());
        }
    }
    if (any && !fences) {
        return fail(ErrorCode::kDataLoss,
                    "the agent's record 'fences' is gone though commands are remembered: look at "
                    "the host, then remove the *.command files");
    }
    for (const JournalImage::Entry& entry : image_.commands) {
        // Not written over by an older one: a command waits in its file for its acknowledgement, others do not.
        if (entry.command.fence <= image_.fence_floor) continue;
        Fence& fence = image_.fences[entry.command.resource];
        fence = std::max(fence, entry.command.fence);
    }
    return image_;
}

Result<void> CommandStore::put_fences() {
    LineRecord record;
    record.add(kFenceTitle, kRecordFormat);
    record.add("epoch", fmt::to_string(number(image_.epoch)));
    record.add("floor", fmt::to_string(number(image_.fence_floor)));
    for (const auto& [resource, fence] : image_.fences)
        record.add("fence." + resource.text(), fmt::to_string(number(fence)));
    return replace_file(directory_, std::string(kFences), sealed(record));
}

Result<void> CommandStore::put_command(const CommandId& id) {
    const auto entry = std::ranges::find(image_.commands, id, [](const auto& known) { return known.command.id; });
    if (entry == image_.commands.end()) return {};
    LineRecord record;
    record.add(kCommandTitle, kRecordFormat);
    record.add("command", TRY(codec::pack(entry->command)));
    if (entry->report.has_value()) record.add("report", TRY(codec::pack(*entry->report)));
    return replace_file(directory_, file_of(TRY(CommandId::parse(id.text()))), sealed(record));
}

Result<void> CommandStore::record(const JournalRecord& record) {
    fold(image_, record);
    if (const auto* accepted = std::get_if<CommandAccepted>(&record)) return put_command(accepted->command.id);
    if (const auto* finished = std::get_if<CommandFinished>(&record)) return put_command(finished->report.command);
    TRY(put_fences());
    const auto* forgotten = std::get_if<CommandForgotten>(&record);
    if (forgotten == nullptr) return {};
    TRY(directory_.remove(file_of(TRY(CommandId::parse(forgotten->command.text())))));
    return directory_.sync_names();
}

}  // namespace penumbra::agent
