#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "packet/bytes.hpp"

namespace penumbra::netisolate {

/// The guest's side of a tap, as QEMU would hold it: a frame sent here comes out of the tap. Thread-bound.
class TapEnd {
 public:
    /// kConflict when a guest holds it already; kNotFound when it is no tap of this namespace.
    [[nodiscard]] static Result<TapEnd> open(const std::string& name);
    [[nodiscard]] Result<void> send(packet::ByteView frame);

 private:
    explicit TapEnd(UniqueFd fd) : fd_(std::move(fd)) {}
    UniqueFd fd_;
};

/// Sends frames as they are out of a link. Thread-bound; belongs to the namespace it was opened in.
class LinkEnd {
 public:
    [[nodiscard]] static Result<LinkEnd> open(const std::string& name);
    /// kInvalidArgument for a frame that is longer than the link lets through.
    [[nodiscard]] Result<void> send(packet::ByteView frame);

 private:
    LinkEnd(UniqueFd fd, int index) : fd_(std::move(fd)), index_(index) {}
    UniqueFd fd_;
    int index_;
};

/// Hears every frame that comes or goes by any link of the namespace it was opened in. Thread-bound.
class Listener {
 public:
    [[nodiscard]] static Result<Listener> open();
    /// Gives what was heard since the last call, with its link's name, without waiting. kDataLoss: frames came faster
    /// than they were taken; nothing may be said about those.
    [[nodiscard]] Result<void> take(const std::function<void(const std::string& link, packet::ByteView frame)>& heard);

 private:
    explicit Listener(UniqueFd fd) : fd_(std::move(fd)) {}
    UniqueFd fd_;
};

}  // namespace penumbra::netisolate
