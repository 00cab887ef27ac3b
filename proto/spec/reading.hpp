#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "proto/spec/document.hpp"

namespace penumbra::spec {

/// Whether a key must be there.
enum class Need : unsigned char { kOptional, kRequired };

/// Reads the keys of one table into values, and then says what is wrong with it: finish() gives the first of (a key
/// nobody asked for, with the one that was likely meant; a wrong type or range; a missing key), with file, line and
/// column. A value whose key is not there keeps what it had. Thread-bound; borrows the document.
class Reading {
 public:
    explicit Reading(const Document& document) : Reading(document, document.root, "", Place{.line = 1, .column = 1}) {}

    void text(std::string_view key, std::string& into, Need need = Need::kOptional);
    /// One of `words`, given as its index.
    void word(std::string_view key, std::size_t& into, const std::vector<std::string_view>& words,
              Need need = Need::kOptional);
    void flag(std::string_view key, bool& into);
    void number(std::string_view key, double& into, double low, double high, Need need = Need::kOptional);
    void integer(std::string_view key, std::int64_t& into, std::int64_t low, std::int64_t high);
    /// "500ms", "30s", "5m", "1h30m", "2d".
    void duration(std::string_view key, std::chrono::milliseconds& into, std::chrono::milliseconds low,
                  std::chrono::milliseconds high);
    void duration(std::string_view key, std::chrono::seconds& into, std::chrono::seconds low,
                  std::chrono::seconds high);
    void texts(std::string_view key, std::vector<std::string>& into, std::size_t count_max);
    void numbers(std::string_view key, std::vector<double>& into, double low, double high, std::size_t count_max);
    /// A table of integers under names of the file's own.
    void integers(std::string_view key, std::map<std::string, std::int64_t>& into, std::int64_t low,
                  std::size_t count_max, Need need = Need::kOptional);
    /// An identifier by its parse().
    template <class Id>
    void id(std::string_view key, Id& into, Need need = Need::kOptional) {
        std::string written;
        const Node* node = find(key, need);
        if (node == nullptr || !text_of(key, *node, written)) return;
        Result<Id> parsed = Id::parse(written);
        if (parsed.has_value()) {
            into = std::move(*parsed);
        } else {
            wrong(node->place, key, parsed.error().message);
        }
    }

    /// Reads a table under `key`, or each of an array of them ([[key]]).
    void table(std::string_view key, const std::function<void(Reading&)>& read, Need need = Need::kOptional);
    void tables(std::string_view key, const std::function<void(Reading&)>& read, std::size_t count_max);
    /// Each list of a list of lists of texts.
    void text_lists(std::string_view key, std::vector<std::vector<std::string>>& into, std::size_t count_max,
                    std::size_t each_max);

    [[nodiscard]] bool has(std::string_view key) const;
    /// What only the values together show: at the place of `key`, or of the table when it is not there.
    void refuse(std::string_view key, std::string_view sentence);

    [[nodiscard]] Result<void> finish();

 private:
    Reading(const Document& document, const Table& table, std::string path, Place place)
        : document_(document), table_(table), path_(std::move(path)), place_(place) {}

    [[nodiscard]] const Node* find(std::string_view key, Need need);
    [[nodiscard]] bool text_of(std::string_view key, const Node& node, std::string& into);
    [[nodiscard]] bool number_of(std::string_view key, const Node& node, double low, double high, double& into);
    [[nodiscard]] bool texts_of(std::string_view key, const Node& node, std::size_t count_max,
                                std::vector<std::string>& into);
    void read_inner(const Table& inner, std::string path, Place place, const std::function<void(Reading&)>& read);
    void wrong(Place place, std::string_view key, std::string_view sentence);
    [[nodiscard]] std::string where(Place place) const;
    [[nodiscard]] std::string named(std::string_view key) const;

    const Document& document_;
    const Table& table_;
    const std::string path_;  // "trial", "kpi", ...; empty: the file's top
    const Place place_;
    std::vector<std::string> expected_;
    std::string first_wrong_;
    std::string first_missing_;
};

}  // namespace penumbra::spec
