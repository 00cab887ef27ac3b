#pragma once

#include <set>
#include <string>

#include "journal/entry.hpp"

/// Some of a layer's values against the rest, which may be somebody else's. A value that is missing is a value too.
/// Pure.
namespace penumbra::effects {

using journal::Values;
using Names = std::set<std::string>;

/// The value of a name; empty: missing.
[[nodiscard]] std::string value_of(const Values& values, const std::string& name);
/// The names whose values differ: what a change from one to the other changes.
[[nodiscard]] Names changed_names(const Values& before, const Values& after);
/// Whether these names have the same values in both.
[[nodiscard]] bool agree_on(const Names& names, const Values& one, const Values& other);
/// `values` as they are, but these names as `source` has them.
[[nodiscard]] Values with_names_of(Values values, const Names& names, const Values& source);

}  // namespace penumbra::effects
