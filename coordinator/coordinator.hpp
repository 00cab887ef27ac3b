#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/event_loop.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/time_zone.hpp"
#include "proto/spec/settings_file.hpp"

namespace penumbra::coordinator {

/// The coordinator, put together: store, core, fleet link, enrolment and local socket on one loop. Destroying it stores
/// what waits and closes everything. Thread-bound.
class Coordinator {
 public:
    enum class End : unsigned char {
        kStoreFailed,  ///< nothing can be remembered any more
        kSteppedDown,  ///< a later life was seen
    };
    struct Options {
        spec::CoordinatorSettings settings;
        std::vector<OffsetChange> service_clock{};  ///< of settings.time_zone; empty: UTC
        Epoch above{};  ///< the new life's epoch is higher: after an old copy of the store was restored
    };
    /// Called from the loop when it cannot go on; the sentence says why.
    using Ended = std::function<void(End, const std::string&)>;

    /// Raises the epoch, and only then binds. `loop` and `clock` outlive this.
    [[nodiscard]] static Result<std::unique_ptr<Coordinator>> start(EventLoop& loop, const Clock& clock,
                                                                    Options options, Ended ended);
    Coordinator(const Coordinator&) = delete;
    Coordinator& operator=(const Coordinator&) = delete;
    Coordinator(Coordinator&&) = delete;
    Coordinator& operator=(Coordinator&&) = delete;
    ~Coordinator();

    /// One line: which life, where it listens.
    [[nodiscard]] std::string describe() const;
    /// Where agents connect, once bound; the port in it is the real one.
    [[nodiscard]] std::string fleet_endpoint() const;
    [[nodiscard]] std::string enrol_endpoint() const;
    [[nodiscard]] std::string server_key() const;

 private:
    struct Parts;
    explicit Coordinator(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

}  // namespace penumbra::coordinator
