#include "agent/driver.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/limits/wire.hpp"
#include "base/log.hpp"
#include "proto/codec/codec.hpp"

namespace penumbra::agent {

Driver::Driver(Parts parts, const Identity& identity, const JournalImage& image)
    : parts_(std::move(parts)), random_(parts_.seed), core_(identity, image, parts_.clock.now(), random_) {}

void Driver::happen(const Event& event) {
    ASSERT(!acting_);  // what an action brings about comes in a later turn
    acting_ = true;
    for (const Action& action : core_.step(event, parts_.clock.now(), random_))
        act(action);
    acting_ = false;
}

void Driver::hear(News news) {
    if (auto* troubles = std::get_if<Troubles>(&news)) {
        Troubles& known = troubles_[troubles->flow];
        const auto log_new = [&](log::Level level, const char* kind, const auto& now, const auto& before) {
            for (const std::string& sentence : now)
                if (std::ranges::find(before, sentence) == before.end())
                    log::event(level, kind, sentence, {{"FLOW", troubles->flow}});
        };
        log_new(log::Level::kWarning, "agent.trouble", troubles->sentences, known.sentences);
        log_new(log::Level::kNotice, "agent.hint", troubles->hints, known.hints);
        known = std::move(*troubles);
        return;
    }
    happen(std::get<Event>(news));
}

void Driver::receive(std::string_view bytes) {
    Result<model::Envelope> envelope = codec::decode(bytes);
    if (!envelope.has_value()) return log::error("agent.message_dropped", envelope.error());
    happen(Received{std::move(*envelope)});
}

void Driver::tell_health(std::chrono::milliseconds lag) {
    HealthObserved health{.loop_lag_ms = static_cast<std::uint32_t>(std::max<std::int64_t>(0, lag.count()))};
    for (const auto& [flow, known] : troubles_) {
        for (const std::string& sentence : known.sentences)
            health.troubles.push_back(sentence.substr(0, limits::kTextBytesMax));
        for (const std::string& hint : known.hints)
            health.hints.push_back(hint.substr(0, limits::kTextBytesMax));
    }
    happen(health);
}

void Driver::send(const model::Envelope& envelope) {
    const Result<std::string> bytes = codec::encode(envelope);
    if (!bytes.has_value()) return log::error("agent.message_too_big", bytes.error());
    // One that is lost on its way is sent again by the core; that it was lost here is no other case.
    if (const Result<void> sent = parts_.send(*bytes); !sent.has_value())
        log::event(log::Level::kDebug, "agent.not_sent", sent.error().message);
}

void Driver::act(const Action& action) {
    if (const auto* sent = std::get_if<Send>(&action)) return send(sent->envelope);
    if (std::holds_alternative<Reconnect>(action)) {
        if (const Result<void> done = parts_.reconnect(); !done.has_value())
            log::error("agent.not_reconnected", done.error());
        return;
    }
    if (const auto* journal = std::get_if<Journal>(&action)) return parts_.record(journal->number, journal->record);
    if (const auto* execute = std::get_if<Execute>(&action)) return parts_.execute(execute->command);
    if (const auto* recover = std::get_if<Recover>(&action)) return parts_.recover(recover->command);
    if (const auto* release = std::get_if<ReleaseKpi>(&action)) return parts_.release(release->vantage, release->up_to);
    const auto& note = std::get<Note>(action);
    log::event(log::Level::kNotice, "agent." + note.kind, note.message);
}

}  // namespace penumbra::agent
