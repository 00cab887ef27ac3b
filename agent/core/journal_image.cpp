#include "agent/core/journal_image.hpp"

#include <algorithm>

namespace penumbra::agent {

namespace {
struct Fold {
    JournalImage& image;

    void operator()(const EpochSeen& record) const { image.epoch = std::max(image.epoch, record.epoch); }
    void operator()(const CommandAccepted& record) const {
        image.fences[record.command.resource] = record.command.fence;
        image.commands.push_back({.command = record.command, .report = std::nullopt});
    }
    void operator()(const CommandFinished& record) const {
        for (JournalImage::Entry& entry : image.commands) {
            if (entry.command.id == record.report.command) entry.report = record.report;
        }
    }
    void operator()(const CommandForgotten& record) const {
        std::erase_if(image.commands,
                      [&](const JournalImage::Entry& entry) { return entry.command.id == record.command; });
    }
    void operator()(const FenceForgotten& record) const {
        image.fences.erase(record.resource);
        image.fence_floor = std::max(image.fence_floor, record.floor);
    }
};
}  // namespace

void fold(JournalImage& image, const JournalRecord& record) {
    std::visit(Fold{image}, record);
}

}  // namespace penumbra::agent
