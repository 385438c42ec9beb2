# Reads gitlab.rb as omnibus-gitlab does, and prints its settings as JSON. Lines of omnibus-gitlab at 440b1f835eb2:
# a component vivifies what it lacks (files/gitlab-cookbooks/package/libraries/config_mash.rb:53-62), also in a file that
# another reads (files/gitlab-cookbooks/package/libraries/settings_dsl.rb:99).
require "json"

class Mash < Hash
  def [](key)
    key?(key) ? super : self[key] = Mash.new
  end
end

class Omnibus
  attr_reader :settings

  def initialize
    @settings = Mash.new
  end

  def external_url(url)
    @settings["external_url"] = url
  end

  def from_file(path)
    instance_eval(File.read(path), path)
  end

  %w[gitaly gitlab_rails high_availability letsencrypt nginx].each do |component|
    define_method(component) { @settings[component] }
  end
end

omnibus = Omnibus.new
omnibus.from_file(ARGV.fetch(0))
puts JSON.generate(omnibus.settings)
