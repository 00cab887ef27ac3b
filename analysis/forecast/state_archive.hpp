#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

namespace penumbra::analysis::forecast {

/// Writes a model's state as a row of numbers. Model parts offer `walk(archive)` that names each of their members once,
/// so that what is written is what is read.
class StateWriter {
 public:
    template <class Number>
        requires std::is_arithmetic_v<Number>
    void operator()(const Number& value) {
        numbers_.push_back(static_cast<double>(value));
    }
    template <class Item>
    void operator()(const std::vector<Item>& items) {
        numbers_.push_back(static_cast<double>(items.size()));
        for (const Item& item : items)
            (*this)(item);
    }
    template <class Part>
        requires requires(Part& part, StateWriter& writer) { part.walk(writer); }
    void operator()(const Part& part) {
        const_cast<Part&>(part).walk(*this);
    }
    [[nodiscard]] std::vector<double> take() { return std::move(numbers_); }

 private:
    std::vector<double> numbers_;
};

/// Reads what StateWriter wrote. A row that is too short, or counts more items than it holds, sets failed() and reads
/// zeros.
class StateReader {
 public:
    explicit StateReader(std::span<const double> numbers) noexcept : numbers_(numbers) {}

    template <class Number>
        requires std::is_arithmetic_v<Number>
    void operator()(Number& value) {
        const double number = next();
        if constexpr (std::is_integral_v<Number>) {
            if (!(number >= 0 && number < 9e15)) failed_ = true;
            value = failed_ ? Number{} : static_cast<Number>(number);
        } else {
            value = static_cast<Number>(number);
        }
    }
    template <class Item>
    void operator()(std::vector<Item>& items) {
        const double count = next();
        if (!(count >= 0 && count <= static_cast<double>(numbers_.size() - at_))) {
            failed_ = true;
            return;
        }
        items.assign(static_cast<std::size_t>(count), Item{});
        for (Item& item : items)
            (*this)(item);
    }
    template <class Part>
        requires requires(Part& part, StateReader& reader) { part.walk(reader); }
    void operator()(Part& part) {
        part.walk(*this);
    }
    [[nodiscard]] bool failed() const noexcept { return failed_ || at_ != numbers_.size(); }

 private:
    double next() noexcept {
        if (at_ >= numbers_.size()) {
            failed_ = true;
            return 0;
        }
        return numbers_[at_++];
    }
    std::span<const double> numbers_;
    std::size_t at_ = 0;
    bool failed_ = false;
};

}  // namespace penumbra::analysis::forecast
