#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/backoff.hpp"
#include "coordinator/core/events.hpp"
#include "coordinator/core/fleet.hpp"

namespace penumbra::coordinator {

/// One step under way: the state it may change, what must be durable with it, and what may go out only then.
struct Turn {
    Fleet& fleet;
    const Moment at;
    Random& random;
    std::vector<Record> records;
    Actions at_once;       ///< depend on nothing that is not durable yet
    Actions after_commit;  ///< wait for this step's batch and every one before it

    /// Writes a record with this step's batch.
    void keep(Record record) { records.push_back(std::move(record)); }
    /// To the host's present session, if there is one.
    void send_at_once(Host& host, model::Body body);
    void send_after_commit(Host& host, model::Body body);
    /// One line of the history that `events` shows.
    void tell(std::string kind, std::string subject, std::string message, std::string user = {});
    /// A name never given before: "c-3-17".
    [[nodiscard]] std::string new_name(std::string_view prefix);
    [[nodiscard]] Fence new_fence();
};

}  // namespace penumbra::coordinator
