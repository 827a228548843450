// The consumed tokens' records as a value that is cheap to copy: full chunks are shared between copies, so that
// publishing a snapshot of 100,000 tokens copies a few hundred pointers and not 100,000. Reads like a vector of
// pointers to constant records. No locks: each copy belongs to one thread, the records and the chunks are never
// changed.
#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace engine {

struct TokenRecord;

class TokenList {
 public:
  using value_type = std::shared_ptr<const TokenRecord>;
  static constexpr std::size_t chunk_size = 256;

  std::size_t size() const { return chunks_.size() * chunk_size + tail_.size(); }
  bool empty() const { return size() == 0; }
  const value_type& operator[](std::size_t i) const {
    const std::size_t chunk = i / chunk_size;
    return chunk < chunks_.size() ? (*chunks_[chunk])[i % chunk_size] : tail_[i - chunks_.size() * chunk_size];
  }
  const value_type& front() const { return (*this)[0]; }
  const value_type& back() const { return (*this)[size() - 1]; }

  void push_back(value_type record) {
    tail_.push_back(std::move(record));
    if (tail_.size() < chunk_size) return;
    chunks_.push_back(std::make_shared<const Chunk>(std::move(tail_)));
    tail_.clear();
  }
  // Keeps the first `count` records; does nothing where there are fewer.
  void truncate(std::size_t count) {
    if (count >= size()) return;
    if (count < chunks_.size() * chunk_size) {
      tail_ = *chunks_[count / chunk_size];
      chunks_.resize(count / chunk_size);
    }
    tail_.resize(count - chunks_.size() * chunk_size);
  }
  // Puts another record at i < size(); copies the chunk that holds it, so that other copies keep theirs.
  void replace(std::size_t i, value_type record) {
    const std::size_t chunk = i / chunk_size;
    if (chunk >= chunks_.size()) {
      tail_[i - chunks_.size() * chunk_size] = std::move(record);
      return;
    }
    Chunk copy = *chunks_[chunk];
    copy[i % chunk_size] = std::move(record);
    chunks_[chunk] = std::make_shared<const Chunk>(std::move(copy));
  }
  void clear() { truncate(0); }

  class Iterator {
   public:
    using iterator_category = std::random_access_iterator_tag;
    using value_type = TokenList::value_type;
    using difference_type = std::ptrdiff_t;
    using pointer = const value_type*;
    using reference = const value_type&;

    Iterator() = default;
    Iterator(const TokenList* list, std::ptrdiff_t at) : list_(list), at_(at) {}
    reference operator*() const { return (*list_)[static_cast<std::size_t>(at_)]; }
    pointer operator->() const { return &**this; }
    reference operator[](difference_type n) const { return *(*this + n); }
    Iterator& operator++() { return *this += 1; }
    Iterator& operator--() { return *this += -1; }
    Iterator operator++(int) { return {list_, at_++}; }
    Iterator operator--(int) { return {list_, at_--}; }
    Iterator& operator+=(difference_type n) {
      at_ += n;
      return *this;
    }
    Iterator& operator-=(difference_type n) { return *this += -n; }
    Iterator operator+(difference_type n) const { return {list_, at_ + n}; }
    Iterator operator-(difference_type n) const { return {list_, at_ - n}; }
    difference_type operator-(const Iterator& other) const { return at_ - other.at_; }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }
    bool operator<(const Iterator& other) const { return at_ < other.at_; }

   private:
    const TokenList* list_ = nullptr;
    std::ptrdiff_t at_ = 0;
  };
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, static_cast<std::ptrdiff_t>(size())}; }

 private:
  using Chunk = std::vector<value_type>;  // chunk_size records
  std::vector<std::shared_ptr<const Chunk>> chunks_;
  Chunk tail_;  // fewer than chunk_size
};

}  // namespace engine
