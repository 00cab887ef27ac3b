#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace penumbra {

struct ProgramEnd {
    int status = 0;      ///< its exit status; 128 + the signal's number where one ended it
    std::string output;  ///< the beginning of what it said on both outputs, limits::kProgramOutputBytesMax at most
};

/// Runs a program of this host to its end. `command` is its absolute path and its arguments, handed over as they are:
/// no shell and no search path; its environment is LC_ALL=C, nothing is open in it but /dev/null and its outputs.
/// kDeadlineExceeded when it has not ended within `patience`: it is killed then. kNotFound when it is not installed.
/// Blocks; thread-safe.
[[nodiscard]] Result<ProgramEnd> run_program(const std::vector<std::string>& command,
                                             std::chrono::milliseconds patience);

}  // namespace penumbra
