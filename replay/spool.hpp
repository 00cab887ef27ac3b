#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "base/units.hpp"
#include "packet/bytes.hpp"

namespace penumbra::replay {

/// A queue of bytes in a file of fixed size without a name: what waits between the cut and an arm's boot. It is gone
/// with the process. Thread-bound.
class Spool {
 public:
    [[nodiscard]] static Result<Spool> open(const std::filesystem::path& folder, Bytes capacity);

    /// All of `bytes`, or nothing and false when there is no room. Errors: the disk's.
    [[nodiscard]] Result<bool> append(packet::ByteView bytes);
    /// At most `bytes_max` from the front, which stay there until consume().
    [[nodiscard]] Result<packet::Buffer> front(std::size_t bytes_max) const;
    void consume(std::size_t bytes);
    [[nodiscard]] std::uint64_t size() const noexcept { return end_ - begin_; }

 private:
    Spool(UniqueFd file, std::uint64_t capacity) : file_(std::move(file)), capacity_(capacity) {}

    UniqueFd file_;
    std::uint64_t capacity_;
    std::uint64_t begin_ = 0;  // both only grow; the file's position is modulo its capacity
    std::uint64_t end_ = 0;
};

}  // namespace penumbra::replay
