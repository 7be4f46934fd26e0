# Receivers as people write them from the article, one for each path.
require "base64"
require "json"
require "openssl"
require "socket"

RAILS = { "<" => '\u003c', ">" => '\u003e', "&" => '\u0026', "\u2028" => '\u2028', "\u2029" => '\u2029' }

def signed(text, secret)
  OpenSSL::HMAC.hexdigest("SHA256", secret, text)
end

def computed(path, raw, body, secret)
  payload = body["payload"]
  case path
  when "/ruby-generate" then signed(JSON.generate(payload), secret)
  # What to_json writes in Rails.
  when "/ruby-rails" then signed(JSON.generate(payload).gsub(/[<>&\u2028\u2029]/, RAILS), secret)
  when "/ruby-generate-script-safe" then signed(JSON.generate(payload, script_safe: true), secret)
  when "/base64"
    text = raw[11...raw.rindex(',"event":')]
    Base64.strict_encode64(OpenSSL::HMAC.digest("SHA256", secret, text))
  when "/secret-with-newline" then signed(raw[11...raw.rindex(',"event":')], "#{secret}\n")
  # MENDED
  end
end

def answer(client, secret)
  request = client.gets or return
  path = request.split[1]
  length = 0
  while (line = client.gets.strip) != ""
    length = line.split(":")[1].to_i if line.downcase.start_with?("content-length")
  end
  raw = client.read(length).force_encoding("UTF-8")
  body = JSON.parse(raw)
  status = computed(path, raw, body, secret) == body["signature"] ? "204 No Content" : "401 Unauthorized"
  client.print "HTTP/1.1 #{status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
ensure
  client.close
end

secret = ENV.fetch("LEANBE_SECRET")
server = TCPServer.new("127.0.0.1", ARGV[0].to_i)
loop { answer(server.accept, secret) }
