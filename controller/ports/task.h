#pragma once
#include <boost/asio/awaitable.hpp>

#include "controller/core/result.h"

namespace galleryd {

// A coroutine that yields a value or an Error. Cancellation alone arrives as an exception.
template <class T>
using Task = boost::asio::awaitable<Result<T>>;

}  // namespace galleryd
